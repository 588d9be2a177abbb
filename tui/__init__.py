"""The full-screen terminal UI of sft.

start, loop      how it is opened; the reactor, and whose turn it is on the loop (quick_reactor, turns, collector)
app, frame       the app; the one screen that holds header, screens, dock, message line and footer
keys             every act: its keys, its words, its permission. A new act begins here, then ``act_NAME`` of its screen
screens          the five screens         dialogs   questions          widgets   parts        panes   the sides of Files
queue            transfers, kept on disk
gateway          what all of them need of the world outside; live: over the network, memory: over none
text             the one way from what a peer or a disk says to what is drawn
"""
