"""Files on their way between this computer and a server.

plan, local_tree, exclude           what to send or fetch, settled before the first byte moves
foresee                             what that would do, for --dry-run
batch                               many files over one session
put_again, same_here                which of them are there, or here, already
upload, download                    one file, signed here or judged here
small_puts, small_gets, grouping    small ones together, each signed or judged by itself
upload_stream, download_stream      the bytes of a large one
sources, part_file, target          what is read, and where content goes before it is judged
unfinished, resumable_part          what a transfer that was cut off leaves on this computer
upload_resume, download_resume      going on with it, once it is proved
sync, compare, sync_delete, watch   one folder made, or kept, like another
file_digest, digest_cache           what files here hold, read or remembered
disk_waits                          waits for the disk, side by side
progress                            how far it is, and how fast
queue                               the jobs of a UI, one after another
"""
