// The adapter of tinynet: it reads a request a line from fd 0, does it, and writes the answer as a line to fd 1.
// It translates and never repairs: what the library raises is answered as a refusal, in the library's words.

import { createInterface } from "node:readline";
import { Chain, Dense } from "./tinynet.mjs";

console.log = console.error; // fd 1 belongs to the protocol, whatever the library prints

const CODES = { refused: -32000, "unknown-handle": -32001, unsupported: -32601, internal: -32603 };

class Fault extends Error {
  constructor(kind, text) {
    super(text);
    this.kind = kind;
  }
}

// What lives between two resets.
let objects, names;

const add = (kind, thing) => {
  const handle = `${kind}:${objects.size + 1}`;
  objects.set(handle, thing);
  return handle;
};

const get = (handle) => {
  if (!objects.has(handle)) throw new Fault("unknown-handle", `no object ${handle} since the last reset`);
  return objects.get(handle);
};

const arrayOut = ({ shape, data }) => ({ dtype: "float32", shape, data: Buffer.from(data.buffer).toString("base64") });

const arrayIn = ({ dtype, shape, data }) => {
  if (dtype !== "float32" || data === undefined) throw new Fault("unsupported", `arrays of ${dtype}; tinynet has float32 alone`);
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  return { shape, data: new Float32Array(bytes.buffer) };
};

const makeLayer = (spec) => {
  if (spec.class !== "Dense") throw new Fault("unsupported", `tinynet has no ${spec.class?.custom ?? spec.class ?? "nested model"}`);
  const layer = new Dense({ ...spec.args }, names);
  if (spec.trainable === false) layer.trainable = false;
  return layer;
};

const layersOf = (thing) => thing.layers ?? [thing];
const weightsOf = (thing, which) =>
  layersOf(thing).filter((layer) => which === "all" || layer.trainable === (which === "trainable"))
    .flatMap((layer) => layer.weights.map((value, at) => ({ name: layer.weightNames[at], trainable: layer.trainable, value: arrayOut(value) })));

const OPERATIONS = {
  hello: () => ({
    protocol: "1.0", name: "tinynet", version: "0.1", libraries: {}, python: null,
    capabilities: ["build.sequential", "layers.core"], layers: { core: ["Dense"] },
  }),
  reset: () => ((objects = new Map()), (names = new Map()), {}),
  shutdown: () => ({}),
  build({ blueprint }) {
    if (blueprint.kind !== "sequential") throw new Fault("unsupported", `${blueprint.kind} models`);
    if (blueprint.compile) throw new Fault("unsupported", "training");
    const layers = blueprint.layers.map(makeLayer);
    return { object: add("model", new Chain({ name: blueprint.name, inputs: blueprint.inputs ?? [], layers }, names)) };
  },
  build_layer({ layer, input_shape }) {
    const made = makeLayer(layer);
    if (input_shape) made.build(input_shape.at(-1));
    return { object: add("layer", made) };
  },
  layer({ object, layer }) {
    const found = typeof layer === "string" ? get(object).layers.find((one) => one.name === layer) : get(object).layers.at(layer);
    return { object: add("layer", found) };
  },
  describe({ object }) {
    const thing = get(object), chain = thing instanceof Chain;
    const size = chain && thing.layers.at(-1)?.units;
    return {
      class_name: chain ? "Sequential" : "Dense", module: "tinynet", mro: [thing.constructor.name],
      kind: chain ? "sequential" : "layer", name: thing.name, built: chain ? thing.built : thing.weights.length > 0,
      compiled: chain ? false : null, trainable: thing.trainable ?? true, marker: null,
      has: { predict: chain, fit: false, evaluate: false, get_config: true },
      layers: chain ? thing.layers.map((one) => ({ name: one.name, class_name: "Dense", trainable: one.trainable, weights: one.weights.length })) : [],
      inputs: chain ? thing.inputs.map((one) => ({ name: one.name ?? null, shape: [null, ...one.shape], dtype: "float32" })) : [],
      outputs: chain && thing.built ? [{ name: null, shape: [null, ...thing.inputs[0].shape.slice(0, -1), size], dtype: "float32" }] : [],
    };
  },
  weights: ({ object, which = "all" }) => ({ weights: weightsOf(get(object), which) }),
  get_weights: ({ object }) => ({ arrays: weightsOf(get(object), "all").map((weight) => weight.value) }),
  set_weights({ object, arrays }) {
    const given = arrays.map(arrayIn);
    for (const layer of layersOf(get(object))) layer.setWeights(given.splice(0, layer.weights.length));
    return {};
  },
  set_trainable({ object, trainable }) {
    get(object).trainable = trainable;
    return {};
  },
  predict: ({ object, inputs }) => ({ outputs: [arrayOut(get(object).predict(arrayIn(inputs[0])))] }),
  call: ({ object, inputs }) => ({ outputs: [arrayOut(get(object).call(arrayIn(inputs[0])))] }),
};

function answer({ id, method, params }) {
  try {
    if (!(method in OPERATIONS)) throw new Fault("unsupported", `tinynet cannot ${method}`);
    return { jsonrpc: "2.0", id, result: { value: OPERATIONS[method](params), messages: [] } };
  } catch (error) {
    const kind = error.kind ?? "refused"; // what the library raises is a refusal
    const raised = { exception: error.name, mro: [error.name, "Error"], messages: [] };
    const data = { kind, text: error.message, ...(kind === "refused" ? raised : {}) };
    return { jsonrpc: "2.0", id, error: { code: CODES[kind], message: error.message, data } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  process.stdout.write(JSON.stringify(answer(request)) + "\n");
  if (request.method === "shutdown") break;
}
