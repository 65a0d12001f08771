"""End-to-end encryption behind one door: nothing else in the house knows that a room is encrypted.

    door       what the client asks: is the room encrypted, encrypt this event, open that one, keys of files
    arrivals   reads the bot's device by /sync: keys that come, devices that change, keys that ran low
    outbound   the sessions that our messages are encrypted with, and who has their keys
    inbound    the sessions of others, and ours once more
    audience   who is in a room, and which devices they have
    letters    what one device writes to another: Olm
    identity   our own devices: made, published and cross-signed
    vault      everything secret is sealed before it is stored
    key_server the homeserver's side of it, one method a request

Promises: nothing is sent in clear into a room that is encrypted; where it cannot be known, the message waits. A ratchet
is stored before what it made is sent, so that no process ever uses a place of it twice. Everything is read from the
store when it is used and written back before it counts, so a kill at any moment loses nothing and needs no repair.

Refuses: to trust the sender that an event names. The session of a message belongs to the device that sent its key, and
that device's owner must be the event's sender.
"""
