"""Files on their way between this computer and a server.

plan                                what to send or fetch, settled before the first byte moves
batch                               many files over one session
upload, download                    one file, signed here or judged here
upload_stream, download_stream      the bytes of a large one
sources, part_file                  what is read, and where content goes before it is judged
progress                            how far it is, and how fast
"""
