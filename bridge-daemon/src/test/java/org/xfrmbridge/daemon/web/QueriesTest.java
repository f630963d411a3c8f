package org.xfrmbridge.daemon.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.figures.LatestFigures;
import org.xfrmbridge.daemon.figures.SampleBridge;
import org.xfrmbridge.xfrm.Lifetime;

/** Dashboard and alerts ask for metrics and labels that a bridge has. */
class QueriesTest {
    private static final Path PACKAGING = Path.of("../packaging");
    private static final Pattern SERIES = Pattern.compile("(?m)^(xfrm_bridge_\\w+)(?:\\{(.*)})? ");
    private static final Pattern LABEL = Pattern.compile("(\\w+)\\s*[!=]?[=~]\"");

    /** A metric and the labels that it is asked by. */
    private static final Pattern METRIC = Pattern.compile("(xfrm_bridge_\\w+)(?:\\{([^}]*)})?");

    private static final Pattern BY = Pattern.compile("by \\(([^)]*)\\)");
    private static final Pattern SHOWN = Pattern.compile("\\{\\{\\s*(?:\\$labels\\.)?(\\w+)\\s*}}");

    /** What Prometheus adds. */
    private static final String INSTANCE = "instance";

    private final Map<String, Set<String>> labels = new HashMap<>();

    @BeforeEach
    void scrape() throws Exception {
        SampleBridge bridge = new SampleBridge();
        bridge.addState(
                0x100,
                1,
                spec -> spec.lifetime(Lifetime.builder().hardAddSeconds(60).build()));
        BridgeMetrics metrics = new BridgeMetrics(new LatestFigures(bridge.source::take, bridge.clock), bridge.clock);
        metrics.requests(Integer::toString).end(0, 16, 0);
        String text = new String(metrics.expose(null).text(), StandardCharsets.UTF_8);
        SERIES.matcher(text).results().forEach(series -> {
            Set<String> known = labels.computeIfAbsent(series.group(1), name -> new TreeSet<>(Set.of(INSTANCE)));
            if (series.group(2) != null) {
                LABEL.matcher(series.group(2)).results().forEach(label -> known.add(label.group(1)));
            }
        });
    }

    /** @param legend text with labels in it */
    private List<String> faults(String query, String legend) {
        List<String> faults = new ArrayList<>();
        Set<String> known = new TreeSet<>();
        Matcher metrics = METRIC.matcher(query);
        while (metrics.find()) {
            Set<String> ofMetric = labels.get(metrics.group(1));
            if (ofMetric == null) {
                faults.add("no metric " + metrics.group(1));
                continue;
            }
            known.addAll(ofMetric);
            if (metrics.group(2) != null) {
                LABEL.matcher(metrics.group(2))
                        .results()
                        .filter(label -> !ofMetric.contains(label.group(1)))
                        .forEach(label -> faults.add(metrics.group(1) + " has no label " + label.group(1)));
            }
        }
        BY.matcher(query)
                .results()
                .flatMap(by -> List.of(by.group(1).split(",\\s*")).stream())
                .filter(label -> !known.contains(label))
                .forEach(label -> faults.add("no label " + label + " in " + query));
        SHOWN.matcher(legend)
                .results()
                .filter(label -> !known.contains(label.group(1)))
                .forEach(label -> faults.add("no label " + label.group(1) + " for " + query));
        return faults;
    }

    @Test
    void shouldAskOnlyForWhatIsThereInTheDashboard() throws Exception {
        JsonObject dashboard = JsonParser.parseString(Files.readString(PACKAGING.resolve("grafana-dashboard.json")))
                .getAsJsonObject();
        List<String> faults = new ArrayList<>();
        int queries = 0;
        for (JsonElement panel : dashboard.getAsJsonArray("panels")) {
            for (JsonElement target : panel.getAsJsonObject().getAsJsonArray("targets")) {
                JsonObject query = target.getAsJsonObject();
                String text = query.get("expr").getAsString();
                assertFalse(METRIC.matcher(text).results().toList().isEmpty(), text);
                faults.addAll(faults(text, query.get("legendFormat").getAsString()));
                queries++;
            }
        }
        for (JsonElement variable : dashboard.getAsJsonObject("templating").getAsJsonArray("list")) {
            faults.addAll(faults(variable.getAsJsonObject().get("query").getAsString(), ""));
        }
        assertEquals(List.of(), faults);
        assertFalse(queries < 15, "only " + queries + " queries were looked at");
    }

    @Test
    void shouldAskOnlyForWhatIsThereInAlerts() throws Exception {
        String rules = Files.readString(PACKAGING.resolve("prometheus-rules.yml"));
        List<String> faults = new ArrayList<>();
        for (String rule : rules.split("- alert:")) {
            Matcher query = Pattern.compile("expr: (.*)").matcher(rule);
            if (query.find()) {
                faults.addAll(faults(query.group(1), rule));
            }
        }
        assertEquals(List.of(), faults);
    }

    @Test
    void shouldFindWhatIsNotThere() {
        assertEquals(List.of("no metric xfrm_bridge_nothing"), faults("rate(xfrm_bridge_nothing[1m])", ""));
        assertEquals(
                List.of(
                        "xfrm_bridge_drops_total has no label dir",
                        "no label spi for xfrm_bridge_drops_total{dir=\"in\"}"),
                faults("xfrm_bridge_drops_total{dir=\"in\"}", "{{spi}}"));
    }
}
