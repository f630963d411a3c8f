package org.xfrmbridge.daemon.packets;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.xfrmbridge.explain.PacketReport;

/** Reports of packets as a person reads them: a block of lines each. */
public final class PacketText {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");

    private final StringBuilder out = new StringBuilder();
    private final ZoneId zone;

    /** @param zone of the times that are shown */
    public PacketText(ZoneId zone) {
        this.zone = zone;
    }

    public PacketText add(PacketReport packet) {
        String when = packet.time() == null ? "" : time(packet.time()) + " ";
        String verdict = packet.time() == null ? "would be " + packet.verdict() : packet.verdict();
        String reason = packet.reason() == null ? "" : " " + packet.reason();
        out.append("%s%s %s%s%n".formatted(when, packet.direction(), verdict, reason));
        addFacts(packet);
        return this;
    }

    private void addFacts(PacketReport packet) {
        if (packet.packet() != null) {
            String mark = packet.packet().mark() == 0
                    ? ""
                    : ", mark 0x%x".formatted(packet.packet().mark());
            // To the host itself all come by loopback, whichever way they came.
            String dev = packet.packet().ifindex() == 0 || packet.direction().equals("in")
                    ? ""
                    : ", dev " + packet.packet().ifindex();
            addLine("packet", packet.packet().text() + mark + dev);
        }
        for (PacketReport.Policy policy : packet.policies()) {
            addLine("policy", "%s, %s, %s".formatted(policy.text(), policy.action(), packet.decision()));
        }
        addLines("not", packet.passedOver());
        addLines("wants", packet.wants());
        for (PacketReport.State state : packet.states()) {
            String number = state.sequence().equals("0") ? "" : ", number " + state.sequence();
            String window = state.windowBits() == 0 || packet.direction().equals("out")
                    ? ""
                    : ", highest %d, window %d".formatted(state.highest(), state.windowBits());
            addLine("SA", state.text() + number + window + ", carried " + state.limits());
        }
        if (packet.mtuBytes() != 0) {
            addLine("way", "MTU " + packet.mtuBytes());
        }
        addLine("why", packet.sentence());
        if (packet.advice() != null) {
            addLine("look at", packet.advice());
        }
    }

    private void addLines(String name, List<String> texts) {
        texts.forEach(text -> addLine(name, text));
    }

    private void addLine(String name, String text) {
        out.append("  %-8s %s%n".formatted(name, text));
    }

    public PacketText add(DropsReport drops) {
        if (drops.kinds().isEmpty()) {
            out.append("nothing was dropped\n");
        }
        for (DropsReport.Kind kind : drops.kinds()) {
            String since = kind.count() == 1 ? "" : ", %d times since %s".formatted(kind.count(), time(kind.first()));
            PacketReport latest = kind.latest();
            out.append("%s %s dropped %s%s%n".formatted(time(kind.last()), latest.direction(), latest.reason(), since));
            addFacts(latest);
            out.append('\n');
        }
        if (drops.otherKinds() > 0) {
            out.append("%d more kinds of drops are not shown%n".formatted(drops.otherKinds()));
        }
        if (drops.unseen() > 0) {
            out.append("%d drops were not looked at: more than 1000 in a second%n".formatted(drops.unseen()));
        }
        return this;
    }

    private String time(String instant) {
        return TIME.format(Instant.parse(instant).atZone(zone));
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
