"""The console. The only package that imports textual; it acts through a session and nothing else.

session     what the console shows and asks for; `link_session` is the one over the conductor's socket
scene       one moment of it, with its readings aged to now
view        pure functions from a scene to text
widgets, screens, console   what textual needs
app         the way in: imports textual late, after the terminal was prepared
"""
