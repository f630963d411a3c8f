package org.xfrmbridge.daemon.web;

import com.google.common.net.HostAndPort;
import com.google.common.net.InetAddresses;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.figures.LatestFigures;

/**
 * Answers by HTTP: {@code /metrics} for Prometheus, {@code /} for people, {@code /figures}, {@code /drops} and
 * {@code /why} for the script of that page. It only reads, it has no keys, and whoever reaches the address may ask. A
 * page of somebody else's in a browser beside may not: its requests name another host, or are not shown their answers.
 */
public final class WebServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WebServer.class);
    private static final int BACKLOG = 16;
    private static final int THREADS = 2;
    private static final String SECONDS = "10";
    private static final int LONGEST_QUESTION = 500;

    /** Files of the page, by their path. */
    private static final Map<String, String> FILES = Map.of(
            "/", "text/html; charset=utf-8",
            "/page.js", "text/javascript; charset=utf-8",
            "/page.css", "text/css; charset=utf-8");

    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** Asks of packets: "drops", "flows", or "why" with the words of that command. The answer is JSON. */
    public interface PacketQuestions {
        /** @throws IOException if there is no time for it */
        String ask(String request) throws IOException;
    }

    private record Answer(int status, String type, byte[] body) {
        static Answer text(int status, String text) {
            return new Answer(status, "text/plain; charset=utf-8", (text + '\n').getBytes(StandardCharsets.UTF_8));
        }

        static Answer json(String text) {
            return new Answer(200, "application/json", text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(
            THREADS, Thread.ofPlatform().name("metrics").daemon().factory());
    private LatestFigures figures;
    private BridgeMetrics metrics;
    private PacketQuestions packets;

    /**
     * Takes the address, and does not answer yet.
     *
     * @throws IOException if it cannot be had, in one sentence
     */
    public static WebServer bind(InetSocketAddress address) throws IOException {
        // Nobody holds a thread by sending slowly, or all descriptors by not sending at all.
        System.setProperty("sun.net.httpserver.maxReqTime", SECONDS);
        System.setProperty("sun.net.httpserver.maxRspTime", SECONDS);
        System.setProperty("jdk.httpserver.maxConnections", "64");
        try {
            return new WebServer(HttpServer.create(address, BACKLOG));
        } catch (IOException e) {
            throw new IOException(
                    "metrics cannot be shown at %s (%s): choose another address or port with --metrics"
                            .formatted(text(address), e.getMessage()),
                    e);
        }
    }

    private WebServer(HttpServer server) {
        this.server = server;
    }

    private static String text(InetSocketAddress address) {
        return InetAddresses.toUriString(address.getAddress()) + ':' + address.getPort();
    }

    /** Answers from here on. */
    public void start(LatestFigures latest, BridgeMetrics all, PacketQuestions ofPackets) {
        figures = latest;
        metrics = all;
        packets = ofPackets;
        server.createContext("/", this::handle);
        server.setExecutor(threads);
        server.start();
        InetSocketAddress address = server.getAddress();
        LOG.info("metrics and a page at http://{}/", text(address));
        if (!address.getAddress().isLoopbackAddress()) {
            LOG.warn(
                    "who reaches {} is shown addresses, SPIs and traffic of all SAs: let a firewall say who may",
                    text(address));
        }
    }

    /** Where it answers. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Answer answer = answer(exchange);
            Headers headers = exchange.getResponseHeaders();
            headers.set("Content-Type", answer.type());
            headers.set("Cache-Control", "no-store");
            headers.set("X-Content-Type-Options", "nosniff");
            headers.set("Content-Security-Policy", POLICY);
            headers.set("Cross-Origin-Resource-Policy", "same-origin");
            headers.set("Referrer-Policy", "no-referrer");
            boolean hasBody = !exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(answer.status(), hasBody ? answer.body().length : -1);
            if (hasBody) {
                exchange.getResponseBody().write(answer.body());
            }
        } catch (RuntimeException e) {
            LOG.error("a request for metrics could not be answered", e);
        }
    }

    private Answer answer(HttpExchange exchange) throws IOException {
        String method = exchange.getRequestMethod();
        if (!method.equals("GET") && !method.equals("HEAD")) {
            return Answer.text(405, "only GET and HEAD are answered");
        }
        Headers headers = exchange.getRequestHeaders();
        if (!isNumeric(headers.getFirst("Host"))) {
            return Answer.text(403, "ask by a numeric address, or as localhost");
        }
        String path = exchange.getRequestURI().getPath();
        try {
            return switch (path) {
                case "/metrics" -> {
                    BridgeMetrics.Exposition exposition = metrics.expose(headers.getFirst("Accept"));
                    yield new Answer(200, exposition.contentType(), exposition.text());
                }
                case "/figures" -> Answer.json(figures.get().toJson());
                case "/flows" -> Answer.json(packets.ask("flows"));
                case "/drops" -> Answer.json(packets.ask("drops"));
                case "/why" -> why(exchange.getRequestURI().getQuery());
                default -> file(path);
            };
        } catch (IOException e) {
            return Answer.text(503, e.getMessage());
        }
    }

    /**
     * Whether a request names no host by a name. A browser takes a page for one of this server if its host has a name
     * that was made to mean this address meanwhile (DNS rebinding); for a number nobody can do that.
     */
    static boolean isNumeric(String host) {
        if (host == null) {
            return false;
        }
        try {
            String name = HostAndPort.fromString(host).getHost();
            return name.equals("localhost") || InetAddresses.isInetAddress(name);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** @param query the words of the question, as they are after "?", null for none */
    private Answer why(String query) throws IOException {
        if (query == null || query.length() > LONGEST_QUESTION) {
            return Answer.text(400, "ask /why?10.1.0.1 10.2.0.1 proto tcp dport 443, with %20 for each space");
        }
        return Answer.json(packets.ask("why " + query));
    }

    private static Answer file(String path) throws IOException {
        String type = FILES.get(path);
        if (type == null) {
            return Answer.text(404, "there are / and /metrics");
        }
        String name = path.equals("/") ? "page.html" : path.substring(1);
        try (InputStream file = WebServer.class.getResourceAsStream(name)) {
            return new Answer(200, type, file.readAllBytes());
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
