"""File formats, a folder each. Bytes in, values out; each module opens with the layout it handles."""
