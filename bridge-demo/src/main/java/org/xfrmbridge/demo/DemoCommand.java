package org.xfrmbridge.demo;

import java.io.UncheckedIOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.xfrmbridge.daemon.PlainLineStream;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Lab;
import org.xfrmbridge.lab.LabException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Shows what this program does, on this machine, and that it holds. */
@Command(
        name = "xfrm-bridge demo",
        synopsisSubcommandLabel = "",
        subcommands = {SniffCommand.class, ProbeCommand.class})
public final class DemoCommand extends org.xfrmbridge.daemon.cli.DemoCommand {
    private static final int CLEANUP_SECONDS = 40;

    private final CountDownLatch ended = new CountDownLatch(1);
    private boolean cleaning;
    private volatile boolean interrupted;
    /** Why not all could be cleaned up. A step that failed before is the better reason to give. */
    private LabException leftover;

    /** Started by the launcher, without the word "demo". */
    public static void main(String[] arguments) {
        PlainLineStream.onStandardError();
        CommandLine line = new CommandLine(new DemoCommand());
        line.setExecutionExceptionHandler((reason, command, result) -> {
            System.err.println("xfrm-bridge: " + reason.getMessage());
            if (!(reason instanceof LabException)) {
                reason.printStackTrace();
            }
            return 1;
        });
        System.exit(line.execute(arguments));
    }

    @Override
    public Integer call() {
        Machine.require();
        KeySource source = source();
        Thread worker = Thread.currentThread();
        Thread hook = new Thread(() -> interrupt(worker), "interrupt");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            return demonstrate(source);
        } finally {
            ended.countDown();
        }
    }

    private KeySource source() {
        if (keys == Keys.manual || (keys == Keys.auto && !Machine.hasCharon())) {
            return new ManualKeys();
        }
        if (!Machine.hasCharon()) {
            throw new LabException("strongSwan is not installed: apt-get install charon-systemd strongswan-swanctl,"
                    + " or take --keys manual");
        }
        return new CharonKeys();
    }

    private int demonstrate(KeySource source) {
        long startNs = System.nanoTime();
        Screen screen = Screen.standard();
        DemoLab lab = new DemoLab();
        try {
            try {
                new Demonstration(lab, attach ? Attachment.WIRE : Attachment.STACK, source, screen).run();
            } finally {
                cleanUp(lab);
            }
            if (leftover != null) {
                throw leftover;
            }
        } catch (LabException | UncheckedIOException e) {
            // Either can come of Ctrl-C: it closes channels of files, and hits a process that is just being started.
            if (interrupted && leftover == null) {
                screen.end("Interrupted, and all of it is cleaned up.");
                lab.delete();
                return 1;
            }
            throw failure(interrupted ? leftover : e, lab);
        }
        lab.delete();
        screen.end("All of it held, and all of it is cleaned up again. %.0f s."
                .formatted((System.nanoTime() - startNs) / 1e9));
        return 0;
    }

    /** One sentence for the person who started it; what programs printed goes to the logs. */
    private static LabException failure(RuntimeException reason, DemoLab lab) {
        String message = String.valueOf(reason.getMessage());
        Lab.write(lab.file("failure.log"), message);
        return new LabException(message.lines().findFirst().orElse("") + "; all logs are in " + lab.directory());
    }

    /** Ends what the lab holds. From here on nobody interrupts any more, and it comes to its end whatever fails. */
    private void cleanUp(DemoLab lab) {
        synchronized (this) {
            cleaning = true;
            Thread.interrupted();
        }
        try {
            lab.close();
        } catch (LabException e) {
            leftover = e;
        }
    }

    /** Ctrl-C or SIGTERM: what the worker waits for ends now, and this waits for its clean-up. */
    private void interrupt(Thread worker) {
        synchronized (this) {
            interrupted = true;
            if (!cleaning) {
                worker.interrupt();
            }
        }
        try {
            ended.await(CLEANUP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
