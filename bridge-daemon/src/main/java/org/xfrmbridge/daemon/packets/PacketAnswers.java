package org.xfrmbridge.daemon.packets;

import com.google.gson.JsonParseException;
import java.io.IOException;
import java.util.List;
import org.xfrmbridge.explain.PacketReport;

/** What a bridge has answered to questions about packets. */
public final class PacketAnswers {
    private PacketAnswers() {}

    /**
     * The line to ask it by.
     *
     * @throws IllegalArgumentException with a sentence for who wrote the words
     */
    public static String questionOf(List<String> words) {
        FlowWords.parse(words);
        return "why " + String.join(" ", words);
    }

    /** @throws IOException if it is not the answer of a bridge of this version */
    public static PacketReport why(String json) throws IOException {
        return parse(json, PacketReport.class);
    }

    /** The same for {@code drops}. */
    public static DropsReport drops(String json) throws IOException {
        return parse(json, DropsReport.class);
    }

    /**
     * The line to begin a trace by.
     *
     * @param drops whether only drops are to be seen
     * @throws IllegalArgumentException with a sentence for who wrote the words
     */
    public static String traceOf(boolean drops, List<String> filter) {
        PacketFilter.parse(filter);
        return "trace open " + (drops ? "DROPS " : "ALL ") + String.join(" ", filter);
    }

    /**
     * The number of the trace that has begun.
     *
     * @throws IOException with a sentence if it has not
     */
    public static int opened(String json) throws IOException {
        refuse(json);
        return parse(json, PacketQueries.Opened.class).id();
    }

    /** What has been seen. */
    public static TraceBatch batch(String json) throws IOException {
        refuse(json);
        return parse(json, TraceBatch.class);
    }

    /** The line to begin a capture by, as {@link #traceOf}. */
    public static String captureOf(List<String> filter) {
        PacketFilter.parse(filter);
        return "trace open ALL_WITH_FRAMES " + String.join(" ", filter);
    }

    /** What a capture has seen. */
    public static CaptureBatch frames(String json) throws IOException {
        refuse(json);
        return parse(json, CaptureBatch.class);
    }

    /** One line. */
    public static String toJsonLine(PacketReport packet) {
        return PacketQueries.JSON_LINE.toJson(packet);
    }

    private static void refuse(String json) throws IOException {
        String error = parse(json, PacketQueries.Refusal.class).error();
        if (error != null) {
            throw new IOException(error);
        }
    }

    private static <T> T parse(String json, Class<T> type) throws IOException {
        try {
            return PacketQueries.JSON.fromJson(json, type);
        } catch (JsonParseException e) {
            throw new IOException("the bridge that runs is of another version: start it again", e);
        }
    }
}
