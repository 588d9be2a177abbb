"""The two sides of the Files screen: where their lines come from, how they are drawn, and the pane around them."""
