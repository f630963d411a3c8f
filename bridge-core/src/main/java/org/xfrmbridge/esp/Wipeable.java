package org.xfrmbridge.esp;

/** What holds keys, or ciphers made of them, and can be told to forget them. Its own thread only. */
public interface Wipeable {
    /** Drops ciphers and clears the keys held here; it protects and opens nothing afterwards. */
    void wipe();
}
