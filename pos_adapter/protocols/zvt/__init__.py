"""ZVT, the wire of German, Austrian and Swiss tills (PA00P015 revision 13, PA00P016 revision 4).

`apdu`, `bmp`, `tlv`, `serial_frame` and `commands` are pure; `outcomes` is the table from an outcome to
the wire's codes; `session` is one till's conversation; `channel` carries APDUs over TCP or serial.
"""
