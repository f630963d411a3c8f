package org.xfrmbridge.daemon.status;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * How a bridge is. A running one answers with the JSON of it; of one that ended its directory and the kernel tell.
 *
 * @param sinceEpochSeconds when it started; 0 if it does not run
 * @param place null if nothing of a bridge is there
 * @param states how many SAs
 * @param policies how many, by direction: "in", "out", "fwd", "of_sockets"
 * @param wide which directions are selected as a whole, each with the reason
 * @param closed what does not pass at all, each with the reason
 * @param misled IKE daemons that speak to the kernel's IPsec instead, each with what to do
 * @param warnings the last ones of its log, the oldest first
 * @param firewall what is to be said of the host's own rules; null for nothing
 */
public record Status(
        boolean running,
        String directory,
        long sinceEpochSeconds,
        Place place,
        int states,
        Map<String, Integer> policies,
        List<String> wide,
        List<String> closed,
        List<String> misled,
        List<String> warnings,
        String firewall) {
    private static final Gson JSON = new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .create();

    private static final int WRONG = 1;
    private static final int NOT_RUNNING = 3;

    /**
     * Of a bridge that does not run.
     *
     * @param place what it left; null for nothing
     * @param closed what does not pass for that
     */
    public static Status ended(String directory, Place place, List<String> closed) {
        return new Status(false, directory, 0, place, 0, Map.of(), List.of(), closed, List.of(), List.of(), null);
    }

    /** @throws IOException if it is not the answer of a bridge of this version */
    public static Status ofJson(String json) throws IOException {
        try {
            return JSON.fromJson(json, Status.class);
        } catch (JsonParseException e) {
            throw new IOException("the bridge that runs is of another version: start it again", e);
        }
    }

    public String toJson() {
        return JSON.toJson(this) + '\n';
    }

    public Status withFirewall(String found) {
        return new Status(
                running, directory, sinceEpochSeconds, place, states, policies, wide, closed, misled, warnings, found);
    }

    /** As systemctl's: 0 if it runs and is whole, 3 if it does not run, else 1. */
    public int exitCode() {
        if (!running) {
            return NOT_RUNNING;
        }
        return place.isWhole() && closed.isEmpty() ? 0 : WRONG;
    }
}
