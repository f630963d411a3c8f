package org.xfrmbridge.daemon.status;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A {@link Status} as a person reads it. */
public final class StatusText {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss");
    private static final int MOST_DEVICES = 12;

    private final Status status;
    private final ZoneId zone;
    private final StringBuilder out = new StringBuilder();

    /** @param zone of the time that is shown; null for a first line that ends where the time would stand */
    public StatusText(Status status, ZoneId zone) {
        this.status = status;
        this.zone = zone;
    }

    @Override
    public String toString() {
        out.setLength(0);
        if (status.running()) {
            writeRunning();
        } else {
            writeEnded();
        }
        return out.toString();
    }

    private void writeRunning() {
        Place place = status.place();
        out.append("xfrm-bridge runs %s, in %s, since %s%n"
                .formatted(
                        place.attachment(),
                        status.directory(),
                        zone == null
                                ? ""
                                : TIME.format(Instant.ofEpochSecond(status.sinceEpochSeconds())
                                        .atZone(zone))));
        writeParts();
        out.append('\n');
        writeClosed();
        write("SAs", String.valueOf(status.states()));
        write("policies", counts(status.policies()));
        status.wide().forEach(scope -> write("all selected", scope));
        write("covered", devices(place.covered()));
        if (!place.uncovered().isEmpty()) {
            write("not covered", devices(place.uncovered()) + ": " + place.fateOfUncovered());
        }
        if (!place.encapsulationPorts().isEmpty()) {
            write(
                    "ESP in UDP",
                    "at port "
                            + place.encapsulationPorts().stream()
                                    .map(String::valueOf)
                                    .collect(Collectors.joining(", ")));
        }
        status.misled().forEach(daemon -> write("not served", daemon));
        status.warnings().forEach(line -> write("warned", line));
        if (status.firewall() != null) {
            write("firewall", status.firewall());
        }
    }

    private void writeEnded() {
        out.append("xfrm-bridge does not run in ").append(status.directory());
        if (status.place() == null) {
            out.append(", and has left nothing\n");
            return;
        }
        out.append(". One that ended was ").append(status.place().attachment()).append('\n');
        writeParts();
        out.append('\n');
        writeClosed();
        String run = status.place().runOptions();
        write("to go on", "xfrm-bridge run --dir " + status.directory() + (run.isEmpty() ? "" : ' ' + run));
        write("to open", "xfrm-bridge detach --dir " + status.directory());
    }

    private void writeParts() {
        for (Part part : status.place().parts()) {
            out.append("  %-5s  %s%n"
                    .formatted(
                            part.isWhole() ? "ok" : "WRONG",
                            part.isWhole() ? part.name() : part.name() + ": " + part.fault()));
        }
    }

    private void writeClosed() {
        status.closed().forEach(what -> write("CLOSED", what));
    }

    private void write(String name, String value) {
        out.append("%-14s %s%n".formatted(name, value));
    }

    private static String counts(Map<String, Integer> policies) {
        String counts = policies.entrySet().stream()
                .filter(count -> count.getValue() > 0)
                .map(count -> count.getValue() + " " + count.getKey().replace('_', ' '))
                .collect(Collectors.joining(", "));
        return counts.isEmpty() ? "none" : counts;
    }

    private static String devices(List<String> names) {
        if (names.isEmpty()) {
            return "none";
        }
        String first = names.stream().limit(MOST_DEVICES).collect(Collectors.joining(", "));
        return names.size() > MOST_DEVICES ? first + " and " + (names.size() - MOST_DEVICES) + " more" : first;
    }
}
