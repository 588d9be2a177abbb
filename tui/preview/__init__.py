"""What stands in a file, out of its bytes: text, the size of an image, the list of an archive, the difference of two texts.

Rules. Pure. The bytes are a stranger's: nothing is unpacked beyond a bound, nothing is run, and every line that comes out is
harmless. Whatever the bytes are, an answer comes soon and no error.
"""
