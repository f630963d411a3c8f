package org.xfrmbridge.daemon.packets;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.datapath.DropCause;
import org.xfrmbridge.datapath.FlowQuestion;
import org.xfrmbridge.datapath.PacketLog;
import org.xfrmbridge.datapath.PacketRecord;
import org.xfrmbridge.datapath.PacketWatch;
import org.xfrmbridge.explain.Explainer;
import org.xfrmbridge.explain.PacketReport;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Direction;

/** Answers what clients with rights ask of packets, as JSON. Control thread only. */
public final class PacketQueries {
    static final Gson JSON = new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .create();

    /** One line. */
    static final Gson JSON_LINE = new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .disableHtmlEscaping()
            .create();

    private static final int MOST_KINDS = 100;

    private final PacketLog log;
    private final FlowQuestion question;
    private final Explainer explainer;
    private final Clock clock;
    private final Traces traces;

    public PacketQueries(PacketLog log, FlowQuestion question, Explainer explainer, Clock clock) {
        this.log = log;
        this.question = question;
        this.explainer = explainer;
        this.clock = clock;
        traces = new Traces(log, clock);
    }

    /** @param request {@code why SRC DST ...}, which the client has checked */
    public String why(String request) {
        List<String> words = List.of(request.strip().split(" +"));
        FlowWords asked;
        try {
            asked = FlowWords.parse(words.subList(1, words.size()));
        } catch (IllegalArgumentException e) {
            return JSON.toJson(new Refusal(e.getMessage())) + '\n';
        }
        PacketRecord answer = question.ask(asked.direction(), asked.flow());
        return JSON.toJson(explainer.explain(answer, null)) + '\n';
    }

    /** What somebody has asked wrongly. */
    record Refusal(String error) {}

    /** What tells kinds of drops apart. */
    private record Kind(Direction direction, DropCause cause, int policy, int spi) {
        static Kind of(PacketRecord packet) {
            int policy = packet.policies().isEmpty()
                    ? 0
                    : packet.policies().getFirst().spec().index();
            int spi = packet.passages().isEmpty()
                    ? packet.spi()
                    : packet.passages().getLast().state().id().spi();
            return new Kind(packet.direction(), packet.cause(), policy, spi);
        }
    }

    public String drops() {
        List<PacketRecord> latest = log.latestDrops();
        Map<Kind, List<PacketRecord>> kinds = new LinkedHashMap<>();
        for (PacketRecord drop : latest.reversed()) {
            kinds.computeIfAbsent(Kind.of(drop), kind -> new ArrayList<>()).add(drop);
        }
        List<DropsReport.Kind> shown = new ArrayList<>();
        for (List<PacketRecord> drops : kinds.values()) {
            if (shown.size() < MOST_KINDS) {
                PacketReport report = explain(drops.getFirst());
                shown.add(new DropsReport.Kind(drops.size(), time(drops.getLast()), report.time(), report));
            }
        }
        DropsReport report = new DropsReport(
                latest.size(), log.unseenDrops(), Collections.unmodifiableList(shown), kinds.size() - shown.size());
        return JSON.toJson(report) + '\n';
    }

    /**
     * @param request {@code trace open SCOPE FILTER}, {@code trace next ID}, {@code trace frames ID [keys]} or
     *     {@code trace close ID}
     */
    public String trace(String request) {
        List<String> words = List.of(request.strip().split(" +"));
        try {
            return JSON_LINE.toJson(trace(words)) + '\n';
        } catch (IllegalArgumentException e) {
            return JSON_LINE.toJson(new Refusal(e.getMessage())) + '\n';
        }
    }

    private Object trace(List<String> words) {
        if (words.size() < 3) {
            throw new IllegalArgumentException("say what is to be traced");
        }
        List<String> rest = words.subList(3, words.size());
        return switch (words.get(1)) {
            case "open" -> new Opened(traces.open(PacketWatch.Scope.valueOf(words.get(2)), rest));
            case "next" -> traces.next(Integer.parseInt(words.get(2)), this::explain);
            case "frames" -> traces.nextFrames(Integer.parseInt(words.get(2)), rest.contains("keys"), this::capture);
            default -> {
                traces.close(Integer.parseInt(words.get(2)));
                yield new TraceBatch(List.of(), 0);
            }
        };
    }

    private CaptureBatch.Captured capture(PacketRecord packet) {
        boolean out = packet.direction() == Direction.OUT;
        byte[] inner = out ? packet.before() : packet.after();
        byte[] outer = out ? packet.after() : packet.before();
        Instant time = instant(packet);
        String reason =
                packet.cause() == null ? "" : "Xfrm" + packet.cause().reason().label() + ": ";
        return new CaptureBatch.Captured(
                ChronoUnit.MICROS.between(Instant.EPOCH, time),
                reason + explainer.sentence(packet),
                inner == null ? null : Base64.getEncoder().encodeToString(inner),
                outer == null ? null : Base64.getEncoder().encodeToString(outer));
    }

    /** A trace has begun. */
    record Opened(int id) {}

    /** Every few seconds. */
    public void upkeep() {
        traces.endForgotten();
    }

    private PacketReport explain(PacketRecord packet) {
        return explainer.explain(packet, time(packet));
    }

    private String time(PacketRecord packet) {
        return instant(packet).truncatedTo(ChronoUnit.MILLIS).toString();
    }

    private Instant instant(PacketRecord packet) {
        return Instant.now().minusNanos(clock.nowNs() - packet.timeNs());
    }
}
