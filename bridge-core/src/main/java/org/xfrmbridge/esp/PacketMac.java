package org.xfrmbridge.esp;

/** A MAC with a key. One thread. */
interface PacketMac {
    /** The whole MAC, before truncation; valid until the next call. */
    byte[] compute(byte[] data, int offset, int length);

    /** Wipes the key. */
    void destroy();
}
