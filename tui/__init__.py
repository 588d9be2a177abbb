"""The full-screen terminal UI of sft.

start, app, main_screen   how it is opened; the app; the one screen that holds header, screens, dock, message line and footer
context          the app, as far as what stands in it may know it
keys             every act: its keys, its words, its permission. A new act begins here, then ``act_NAME`` of its screen
screens          the six screens          dialogs   questions          widgets   parts        panes   the sides of Files
gateway          what all of them need of the world outside; live: over the client library
connection_words, job_sentences, next_steps   what is said of the connection, of transfers, and what to do about an error
runtime          all that bends Textual or Twisted, each with its measured reason
text             the one way from what a peer or a disk says to what is drawn
"""
