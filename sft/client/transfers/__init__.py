"""Files on their way between this computer and a server.

plan                                what to send or fetch, settled before the first byte moves
batch                               many files over one session
upload, download                    one file, signed here or judged here
upload_stream, download_stream      the bytes of a large one
sources, part_file                  what is read, and where content goes before it is judged
unfinished, resumable_part          what a transfer that was cut off leaves on this computer
download_resume                     going on with it, once it is proved
progress                            how far it is, and how fast
"""
