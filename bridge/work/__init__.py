"""The work itself: lanes, the conductor that walks one row the whole way, and what fills gaps."""
