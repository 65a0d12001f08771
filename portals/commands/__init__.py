"""Commands to the bridge's bot: words become a command, or say what to write; an outcome becomes words.

`asked` finds what is said to the bot, `grammar` reads it, `levels` says who may, `replies` answers.
"""
