with keras.utils.custom_object_scope(custom_objects):
    new_model = keras.models.clone_model(model)
