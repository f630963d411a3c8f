package org.xfrmbridge.offload;

/** What several frames are as one: their headers, with an unfinished checksum, then the payload of each. */
public interface SuperFrame {
    /** All headers; {@link #headerBytes} of it count. */
    byte[] header();

    /** Also where the payload begins in each of the frames. */
    int headerBytes();

    int transportStart();

    /** Payload of every segment but the last, which may have less. */
    int segmentBytes();

    boolean isIpv4();
}
