"""Netlists of light in the form of gdsfactory and SAX: read into `.tgn` text, and written from a network."""
