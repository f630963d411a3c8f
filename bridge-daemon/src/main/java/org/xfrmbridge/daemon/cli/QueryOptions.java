package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.xfrmbridge.daemon.figures.Figures;
import org.xfrmbridge.daemon.figures.FlowsReport;
import org.xfrmbridge.daemon.os.ControlClient;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.SilentBridgeException;
import org.xfrmbridge.daemon.top.TopScreen;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which bridge is asked, and how its answer is shown. */
final class QueryOptions implements TopScreen.Source {
    @Mixin
    private DirectoryOption directory;

    @Mixin
    private ConfigurationOption configuration;

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    Path directory() {
        return directory.directory();
    }

    boolean json() {
        return json;
    }

    private String answer(String request) throws IOException {
        try {
            return ControlClient.ask(directory(), request);
        } catch (SilentBridgeException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException(
                    "no bridge answers in %s: start one with \"xfrm-bridge run\", or name its directory with --dir"
                            .formatted(directory()),
                    e);
        }
    }

    /** Asks what a bridge answers to everybody. */
    String ask(String request) throws IOException {
        String answer = answer(request);
        if (answer.isEmpty() || answer.startsWith("errno ")) {
            throw new IOException(
                    "the bridge in %s is too busy to say what it has counted: ask again, as root if you can"
                            .formatted(directory()));
        }
        return answer;
    }

    /** What it has counted of each SA and policy. */
    @Override
    public Figures figures() throws IOException {
        return Figures.ofJson(askAsPrivileged("figures"));
    }

    /** What has flowed since somebody asked last. */
    @Override
    public FlowsReport flows() throws IOException {
        return FlowsReport.ofJson(askAsPrivileged("flows"));
    }

    /** Asks what a bridge answers to root and its group only; the answer is JSON. */
    String askAsPrivileged(String request) throws IOException {
        String answer = answer(request);
        if (answer.isEmpty() || answer.startsWith("errno ")) {
            throw new IOException("the bridge in %s does not show that: %s"
                    .formatted(
                            directory(),
                            CurrentProcess.effectiveUserId() == 0
                                    ? "it is of another version, start it again"
                                    : "ask as root, or of its group"));
        }
        return answer;
    }
}
