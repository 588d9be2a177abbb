"""Parts that screens are made of: header, lists, message line, footer, dock."""
