"""What is known, to whom, as of when. Nothing here knows a colour, a pixel or a web page."""
