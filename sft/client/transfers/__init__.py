"""Files on their way between this computer and a server.

plan, local_tree, exclude           what to send or fetch, settled before the first byte moves
batch                               many files over one session
same                                what is there, or here, already, and what becomes of it: the rules
there_already, here_already         the facts for that
foresee                             what would be done by them, for --dry-run
upload, acknowledged, download      one file, signed here or judged here; what the server acknowledged
small_puts, small_gets, grouping    small ones together, each signed or judged by itself
upload_stream, download_stream      the bytes of a large one
sources, target                     what is read, and where content goes before it is judged
destination, part_file, part_names  its folder, its part there, and what parts are called
measure                             how much arrives, against what was announced
unfinished                          the record that a transfer leaves on this computer
upload_resume, download_resume      one that can be resumed: marked as it goes, proved before it goes on
sync, compare, sync_delete, watch   one folder made, or kept, like another
local_file, digest_cache            what files here hold, read or remembered
disk_waits                          waits for the disk, side by side
progress                            how far it is, and how fast
queue                               the jobs of a UI, one after another
"""
