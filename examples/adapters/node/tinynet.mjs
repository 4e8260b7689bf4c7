// A toy neural network library: dense layers, chains and graphs of them, configs and weights. It knows nothing of any protocol.

const ACTIVATIONS = { linear: (x) => x, relu: (x) => Math.max(x, 0), tanh: Math.tanh };

export class Dense {
  static defaults = { name: null, trainable: true, units: null, activation: "linear", use_bias: true };

  constructor(args, names = new Map()) {
    const unknown = Object.keys(args).find((key) => !(key in Dense.defaults) && key !== "dtype");
    if (unknown) throw new TypeError(`Dense has no argument ${unknown}`);
    Object.assign(this, Dense.defaults, args);
    if (!Number.isInteger(this.units) || this.units < 1) throw new RangeError(`Dense: units is ${this.units}, expected 1 or more`);
    if (!(this.activation in ACTIVATIONS)) throw new RangeError(`Dense: unknown activation ${this.activation}`);
    this.name ??= fresh("dense", names);
    this.weights = [];
  }

  build(inputs) {
    const kernel = tensor([inputs, this.units], () => Math.random() - 0.5);
    this.weights = this.use_bias ? [kernel, tensor([this.units], () => 0)] : [kernel];
  }

  call({ shape, data }) {
    const [kernel, bias] = this.weights, [inputs, units] = kernel.shape;
    return tensor([...shape.slice(0, -1), units], (at) => {
      const row = Math.floor(at / units), column = at % units;
      let sum = bias ? bias.data[column] : 0;
      for (let i = 0; i < inputs; i++) sum += data[row * inputs + i] * kernel.data[i * units + column];
      return ACTIVATIONS[this.activation](sum);
    });
  }

  get weightNames() {
    return ["kernel", "bias"].slice(0, this.weights.length).map((part) => `${this.name}/${part}`);
  }

  setWeights(values) {
    const wanted = this.weights.map((weight) => weight.shape.join("x")).join(", ");
    const given = values.map((value) => value.shape.join("x")).join(", ");
    if (wanted !== given) throw new RangeError(`${this.name} has ${this.weights.length} weights ${wanted}; given ${values.length}: ${given}`);
    this.weights = values;
  }

  getConfig() {
    return Object.fromEntries(Object.keys(Dense.defaults).map((key) => [key, this[key]]));
  }

  static fromConfig(config, names) {
    return new Dense(structuredClone(config), names);
  }
}

// Layers one after another; built at once where the size of the input is known.
export class Chain {
  constructor({ name, inputs, layers }, names = new Map()) {
    this.name = name ?? fresh("chain", names);
    this.inputs = inputs;
    this.layers = layers;
    if (inputs.length) layers.reduce((size, layer) => (layer.build(size), layer.units), inputs[0].shape.at(-1));
  }

  get built() {
    return this.inputs.length > 0 && this.layers.length > 0;
  }

  call(x) {
    return this.layers.reduce((value, layer) => layer.call(value), x);
  }

  predict(x) {
    return this.call(x);
  }

  getConfig() {
    return structuredClone({ name: this.name, inputs: this.inputs, layers: this.layers.map((layer) => layer.getConfig()) });
  }

  static fromConfig({ name, inputs, layers }, names) {
    return new Chain({ name, inputs: structuredClone(inputs), layers: layers.map((one) => Dense.fromConfig(one, names)) }, names);
  }
}

function fresh(stem, names) {
  const count = names.get(stem) ?? 0;
  names.set(stem, count + 1);
  return count ? `${stem}_${count}` : stem;
}

function tensor(shape, fill) {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: size }, (_, at) => fill(at)) };
}
