package org.xfrmbridge.daemon.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.figures.LatestFigures;
import org.xfrmbridge.daemon.figures.SampleBridge;
import org.xfrmbridge.km.ChangeListener.Acquire;
import org.xfrmbridge.km.ChangeListener.Change;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.State;

class WebServerTest {
    private final SampleBridge bridge = new SampleBridge();
    private WebServer server;
    private BridgeMetrics metrics;

    @BeforeEach
    void start() throws IOException {
        server = WebServer.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        LatestFigures figures = new LatestFigures(bridge.source::take, bridge.clock);
        metrics = new BridgeMetrics(figures, bridge.clock);
        server.start(figures, metrics, request -> "{\"asked\": \"" + request + "\"}");
    }

    @AfterEach
    void end() {
        server.close();
    }

    private String send(String request) throws IOException {
        try (Socket socket =
                new Socket(server.address().getAddress(), server.address().getPort())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            socket.shutdownOutput();
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            socket.getInputStream().transferTo(answer);
            return answer.toString(StandardCharsets.UTF_8);
        }
    }

    private String get(String path, String... headers) throws IOException {
        return send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:9477\r\nConnection: close\r\n"
                + String.join("", List.of(headers)) + "\r\n");
    }

    @Test
    void shouldShowTheBusiestSasAsSeriesAndTheOthersAsOne() throws Exception {
        for (int i = 0; i < FiguresCollector.MOST_SAS + 5; i++) {
            bridge.addState(0x100 + i, 100 - i, spec -> {});
        }
        String text = get("/metrics");
        String most = "xfrm_bridge_sa_bytes_total{destination=\"192.0.2.2\",protocol=\"esp\",reqid=\"5\","
                + "source=\"192.0.2.1\",spi=\"0x00000100\"} 10000.0";
        assertTrue(text.contains(most), text);
        assertEquals(
                FiguresCollector.MOST_SAS,
                text.lines()
                        .filter(line -> line.startsWith("xfrm_bridge_sa_bytes_total"))
                        .count());
        assertTrue(text.contains("xfrm_bridge_other_sas 5.0"), text);
        assertTrue(text.contains("xfrm_bridge_other_sas_bytes 39000.0"), text);
        assertFalse(text.contains(SampleBridge.KEY));
    }

    /** Two of them may have one name, with marks that differ. */
    @Test
    void shouldAddUpSasOfTheSameName() throws Exception {
        bridge.addState(0x100, 1, spec -> spec.mark(new Mark(1, 255)));
        bridge.addState(0x100, 2, spec -> spec.mark(new Mark(2, 255)));
        assertTrue(get("/metrics").contains("spi=\"0x00000100\"} 300.0"));
    }

    @Test
    void shouldSpeakOpenMetricsToWhoAsksForIt() throws Exception {
        String answer = get("/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");
        assertTrue(answer.contains("openmetrics-text") && answer.strip().endsWith("# EOF"), answer);
    }

    @Test
    void shouldCountRequestsByMessageAndErrno() throws Exception {
        var requests = metrics.requests(type -> type == 16 ? "XFRM_MSG_NEWSA" : "message type " + type);
        requests.end(requests.begin(), 16, 0);
        requests.end(requests.begin(), 16, 17);
        requests.end(requests.begin(), 4711, 22);
        String text = get("/metrics");
        assertTrue(text.contains("xfrm_bridge_requests_total{errno=\"17\",message=\"XFRM_MSG_NEWSA\"} 1.0"), text);
        assertTrue(text.contains("xfrm_bridge_requests_total{errno=\"22\",message=\"other\"} 1.0"), text);
        assertTrue(text.contains("xfrm_bridge_request_seconds_count 3"), text);
    }

    @Test
    void shouldTimeTheAnswersToAcquires() throws Exception {
        State larval = bridge.addState(0x500, 0, spec -> {});
        metrics.acquireSent(new Acquire(larval, null, null, null));
        bridge.clock.advanceNs(300_000_000);
        metrics.stateChanged(Change.NEW, bridge.addState(0x501, 0, spec -> spec.reqid(6)), Origin.KERNEL);
        metrics.stateChanged(Change.NEW, bridge.addState(0x502, 0, spec -> {}), Origin.KERNEL);
        metrics.stateChanged(Change.NEW, bridge.addState(0x503, 0, spec -> {}), Origin.KERNEL);
        String text = get("/metrics");
        assertTrue(text.contains("xfrm_bridge_acquires_total 1.0"), text);
        assertTrue(text.contains("xfrm_bridge_acquire_answer_seconds_count 1"), text);
        assertTrue(text.contains("xfrm_bridge_acquire_answer_seconds_sum 0.3"), text);
    }

    /** An SA that comes an hour later was made for another reason. */
    @Test
    void shouldNotTakeALaterSaForAnAnswer() throws Exception {
        State larval = bridge.addState(0x500, 0, spec -> {});
        metrics.acquireSent(new Acquire(larval, null, null, null));
        bridge.clock.advanceSeconds(3600);
        metrics.acquireSent(new Acquire(larval, null, null, null));
        bridge.clock.advanceSeconds(1);
        metrics.stateChanged(Change.NEW, bridge.addState(0x501, 0, spec -> {}), Origin.KERNEL);
        metrics.acquireSent(new Acquire(larval, null, null, null));
        bridge.clock.advanceSeconds(3600);
        metrics.stateChanged(Change.NEW, bridge.addState(0x502, 0, spec -> {}), Origin.KERNEL);
        String text = get("/metrics");
        assertTrue(text.contains("xfrm_bridge_acquire_answer_seconds_count 1"), text);
        assertTrue(text.contains("xfrm_bridge_acquire_answer_seconds_sum 1.0"), text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/page.js", "/page.css", "/figures"})
    void shouldServeThePageWithoutAnythingFromElsewhere(String path) throws Exception {
        bridge.addState(0x100, 1, spec -> {});
        String answer = get(path);
        assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
        assertTrue(answer.contains("Content-security-policy: default-src 'none'"), answer);
        assertFalse(answer.replace("http://www.w3.org/2000/svg", "").contains("://"), answer);
        assertFalse(answer.contains("innerHTML") || answer.contains(SampleBridge.KEY), answer);
    }

    @Test
    void shouldAskOfPackets() throws Exception {
        assertTrue(get("/drops").endsWith("{\"asked\": \"drops\"}"));
        assertTrue(get("/why?10.1.0.1%2010.2.0.1%20proto%20tcp")
                .endsWith("{\"asked\": \"why 10.1.0.1 10.2.0.1 proto tcp\"}"));
        assertTrue(get("/why").startsWith("HTTP/1.1 400 "));
        assertTrue(get("/why?" + "1".repeat(501)).startsWith("HTTP/1.1 400 "));
    }

    /** A name may be made to mean the loopback address while a page of that name runs in a browser. */
    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:9477, 200",
        "'[::1]:9477', 200",
        "localhost:9477, 200",
        "192.0.2.1, 200",
        "evil.example, 403",
        "evil.example:9477, 403",
        "127.0.0.1.evil.example, 403",
        "'', 403",
    })
    void shouldAnswerOnlyToNumbers(String host, int status) throws Exception {
        String answer = send("GET /figures HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
        assertTrue(answer.startsWith("HTTP/1.1 " + status + ' '), answer);
    }

    @Test
    void shouldOnlyRead() throws Exception {
        assertTrue(send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .startsWith("HTTP/1.1 405 "));
        assertTrue(get("/../etc/passwd").startsWith("HTTP/1.1 404 "));
        assertTrue(get("/WebServer.class").startsWith("HTTP/1.1 404 "));
    }

    @Test
    void shouldSayInOneSentenceThatAnAddressIsTaken() {
        IOException refused = assertThrows(IOException.class, () -> WebServer.bind(server.address()));
        assertTrue(
                refused.getMessage().endsWith("choose another address or port with --metrics"), refused.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:9477, /127.0.0.1:9477",
        "9477, /127.0.0.1:9477",
        "localhost:1, /127.0.0.1:1",
        "'[::1]:9477', '/[0:0:0:0:0:0:0:1]:9477'",
    })
    void shouldReadAddresses(String text, String address) {
        assertEquals(address, ListenAddress.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "127.0.0.1", "host.example:9477", "127.0.0.1:99999", "::1:9477", "999999999999"})
    void shouldRefuseWhatIsNoAddress(String text) {
        assertThrows(IllegalArgumentException.class, () -> ListenAddress.parse(text));
    }
}
