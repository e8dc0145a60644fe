"""One module (or package) per service, each after its vendor's public documentation, named in its first lines."""
