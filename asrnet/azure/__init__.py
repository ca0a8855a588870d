"""Azure, through its SDKs: the only package that imports them."""
