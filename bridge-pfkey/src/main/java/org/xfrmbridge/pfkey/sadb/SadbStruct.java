package org.xfrmbridge.pfkey.sadb;

import java.nio.ByteBuffer;

/** What stands in an extension behind its header: a structure of linux/pfkeyv2.h, and what follows it. */
public interface SadbStruct {
    /** Without the header and the padding to a multiple of 8. */
    int bytes();

    /** Writes that many bytes to a buffer in native order. */
    void write(ByteBuffer out);
}
