"""The models, a file each: its settings, how it scores, and how it is fitted if not by the training loop.

A new model is a file here that names its class MODEL, and its values in conf/models/<the same name>.yaml.
"""
