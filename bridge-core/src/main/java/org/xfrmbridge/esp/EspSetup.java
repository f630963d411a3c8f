package org.xfrmbridge.esp;

/** What every transform starts from. */
record EspSetup(EspSizes sizes, int spi, SequenceWidth width, IvSource ivSource) {}
