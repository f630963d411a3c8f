package org.xfrmbridge.daemon.top;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.figures.Figures;
import org.xfrmbridge.daemon.figures.FlowsReport;
import org.xfrmbridge.daemon.figures.SampleBridge;
import org.xfrmbridge.xfrm.State;

class TopViewTest {
    private static final int HEIGHT = 14;
    private static final FlowsReport FLOWS = new FlowsReport(
            1,
            List.of(new FlowsReport.Use(
                    "out", "tcp", "10.1.0.1:40000", "10.2.0.1:443", "protected", "0x00000101", 9, 8, 12, 1500)),
            3);

    private final SampleBridge bridge = new SampleBridge();
    private final TopView view = new TopView();
    private Figures before;
    private Figures now;

    @BeforeEach
    void fill() throws Exception {
        State quiet = bridge.addState(0x100, 50, spec -> {});
        State busy = bridge.addState(0x101, 1, spec -> spec.reqid(9));
        for (int spi = 0x200; spi < 0x20a; spi++) {
            bridge.addState(spi, 0, spec -> spec.reqid(20));
        }
        bridge.addPolicy("10.1.0.0/16", "10.2.0.0/16", 2);
        before = bridge.source.take();
        bridge.clock.advanceSeconds(2);
        for (int i = 0; i < 8; i++) {
            busy.count(1000, bridge.clock.epochSeconds());
        }
        now = bridge.source.take();
        assertTrue(quiet.usage().bytes() < busy.usage().bytes());
    }

    private List<String> press(String keys) {
        keys.chars().forEach(view::press);
        return view.lines(new TopView.Look(before, now, FLOWS), HEIGHT);
    }

    private static String first(List<String> lines) {
        int at = 0;
        while (!lines.get(at).startsWith("DIR")) {
            at++;
        }
        return lines.get(at + 1);
    }

    @Test
    void shouldShowWhatCarriesMostFirst() {
        List<String> lines = press("");
        assertEquals(HEIGHT, lines.size());
        assertTrue(first(lines).contains("0x00000101"), lines.toString());
        assertTrue(first(lines).contains("32k"), "bits a second: " + first(lines));
        assertEquals(TopView.KEYS, lines.getLast());
    }

    @Test
    void shouldSortByOtherColumnsAndTheOtherWayRound() {
        // bytes, packets
        assertTrue(first(press("ss")).contains("0x00000100"));
        // the reqid is the last one
        assertTrue(first(press("sssss")).contains("  5  "), first(press("")));
        assertTrue(first(press("r")).contains(" 20  "));
    }

    @Test
    void shouldTurnPages() {
        assertTrue(press("").get(5).endsWith("page 1 of 2"), press("").get(5));
        assertTrue(press("  ").get(5).endsWith("page 2 of 2"));
        assertTrue(press("bbb").get(5).endsWith("page 1 of 2"));
    }

    @Test
    void shouldShowPoliciesAndDrops() {
        assertTrue(String.join("\n", press("2")).contains("10.1.0.0/16 -> 10.2.0.0/16"));
        assertTrue(String.join("\n", press("3")).contains("REASON"));
        String flows = String.join("\n", press("4"));
        assertTrue(flows.contains("10.1.0.1:40000  10.2.0.1:443  protected  0x00000101"), flows);
        assertTrue(flows.contains("   12    12k") && flows.contains("and 3 other flows"), flows);
        assertFalse(view.isEnded());
        press("q");
        assertTrue(view.isEnded());
    }

    @Test
    void shouldPrintAllOfItForScripts() {
        String whole = TopView.whole(before, now, FLOWS);
        assertTrue(whole.contains("0x00000209") && whole.contains("10.2.0.0/16") && whole.contains("REASON"), whole);
        assertFalse(whole.contains("\u001b"), "no escape codes");
    }
}
