package org.xfrmbridge.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * What a pcap file holds: how many frames of each kind, and the first frames in the clear.
 *
 * @param counts frames per kind
 * @param clear at most ten frames that should not be there, in hex
 */
record Capture(Map<Frame.Kind, Integer> counts, List<String> clear) {
    private static final int MAGIC_MICROSECONDS = 0xa1b2c3d4;
    private static final int FILE_HEADER_BYTES = 24;
    private static final int RECORD_HEADER_BYTES = 16;
    private static final int SHOWN = 10;
    private static final int SHOWN_BYTES = 80;

    /** Reads a file that may still be written to: an unfinished last record is left out. */
    static Capture read(Path file) {
        try {
            return read(ByteBuffer.wrap(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Capture read(ByteBuffer pcap) {
        Map<Frame.Kind, Integer> counts = new EnumMap<>(Frame.Kind.class);
        List<String> clear = new ArrayList<>();
        Frame frame = new Frame();
        if (pcap.remaining() < FILE_HEADER_BYTES) {
            return new Capture(counts, clear);
        }
        pcap.order(pcap.getInt(0) == MAGIC_MICROSECONDS ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        pcap.position(FILE_HEADER_BYTES);
        while (pcap.remaining() >= RECORD_HEADER_BYTES) {
            int capturedBytes = pcap.getInt(pcap.position() + 8);
            if (pcap.remaining() < RECORD_HEADER_BYTES + capturedBytes) {
                break;
            }
            ByteBuffer bytes = pcap.slice(pcap.position() + RECORD_HEADER_BYTES, capturedBytes);
            pcap.position(pcap.position() + RECORD_HEADER_BYTES + capturedBytes);
            Frame.Kind kind = classify(frame, bytes);
            counts.merge(kind, 1, Integer::sum);
            if (!kind.secret() && clear.size() < SHOWN) {
                clear.add(hex(bytes));
            }
        }
        return new Capture(counts, Collections.unmodifiableList(clear));
    }

    private static Frame.Kind classify(Frame frame, ByteBuffer bytes) {
        try {
            return frame.classify(bytes);
        } catch (IndexOutOfBoundsException | BufferUnderflowException e) {
            return Frame.Kind.CLEAR;
        }
    }

    private static String hex(ByteBuffer bytes) {
        byte[] shown = new byte[Math.min(bytes.remaining(), SHOWN_BYTES)];
        bytes.get(bytes.position(), shown);
        return HexFormat.of().formatHex(shown);
    }

    int count(Frame.Kind kind) {
        return counts.getOrDefault(kind, 0);
    }
}
