"""Programs that speak the protocol for one library each, inside that library's own interpreter.

They need Python >= 3.8, NumPy and the library, and nothing of `conformance` outside this folder.

    python conformance/adapters/tf_keras.py [tensorflow.keras | tf_keras]
    python conformance/adapters/keras3.py
    python conformance/adapters/reference.py [DIALECT]

An adapter translates, never repairs: it calls the library as the request says, once, and hands back what
comes, errors included. It branches only where versions spell the same thing differently.

    start        how a file of this folder becomes a program
    server       requests in, responses out; the only place where an exception is caught
    messages     what a library says while it works: warnings, log records, prints
    library      one library's spellings; tf_keras, keras3 and reference fill it in
    workspace    what lives between two resets: objects by handle, scopes, custom objects
    building, inspecting, running, saving, configs, registry, checkpoints, source
                 the operations, spelled in the Keras API that all the libraries share
    schema, encoding
                 the messages' schemas and the encoding of values
"""
