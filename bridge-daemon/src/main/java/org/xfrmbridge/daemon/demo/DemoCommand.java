package org.xfrmbridge.daemon.demo;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows what this program does, on this machine, and that it holds. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Makes two hosts (network namespaces), runs a bridge on each, protects traffic between them, shows what there is to see, and cleans up.",
            "Exit code 0 only if all of it held. Nothing outside the two namespaces is changed. Needs root."
        },
        synopsisSubcommandLabel = "",
        subcommands = {SniffCommand.class, ProbeCommand.class})
public final class DemoCommand implements Callable<Integer> {
    private static final int CLEANUP_SECONDS = 40;

    /** Where keys come from. */
    enum Keys {
        /** charon if it is installed, else by hand. */
        auto,
        charon,
        manual
    }

    @Option(
            names = "--keys",
            paramLabel = "WHO",
            defaultValue = "auto",
            description = {
                "charon: strongSwan negotiates. manual: ip xfrm puts SAs in.",
                "auto: charon if it is installed. Default: ${DEFAULT-VALUE}."
            })
    private Keys keys;

    private final CountDownLatch ended = new CountDownLatch(1);
    private boolean cleaning;
    private volatile boolean interrupted;
    /** Why not all could be cleaned up. A step that failed before is the better reason to give. */
    private DemoException leftover;

    @Override
    public Integer call() throws DemoException {
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

    private KeySource source() throws DemoException {
        if (keys == Keys.manual || (keys == Keys.auto && !Machine.hasCharon())) {
            return new ManualKeys();
        }
        if (!Machine.hasCharon()) {
            throw new DemoException(
                    "strongSwan is not installed: apt-get install charon-systemd strongswan-swanctl, or take --keys manual");
        }
        return new CharonKeys();
    }

    private int demonstrate(KeySource source) throws DemoException {
        long startNs = System.nanoTime();
        Screen screen = Screen.standard();
        Lab lab = new Lab();
        try {
            try {
                new Demonstration(lab, source, screen).run();
            } finally {
                cleanUp(lab);
            }
            if (leftover != null) {
                throw leftover;
            }
        } catch (InterruptedException | DemoException e) {
            // Either can come of Ctrl-C: it closes channels of files, and hits a process that is just being started.
            if (interrupted && leftover == null) {
                screen.end("Interrupted, and all of it is cleaned up.");
                lab.forget();
                return 1;
            }
            throw new DemoException((interrupted ? leftover : e).getMessage() + "; all logs are in " + lab.directory());
        }
        lab.forget();
        screen.end("All of it held, and all of it is cleaned up again. %.0f s."
                .formatted((System.nanoTime() - startNs) / 1e9));
        return 0;
    }

    /** Ends what the lab holds. From here on nobody interrupts any more, and it comes to its end whatever fails. */
    private void cleanUp(Lab lab) throws InterruptedException {
        synchronized (this) {
            cleaning = true;
            Thread.interrupted();
        }
        try {
            lab.end();
        } catch (DemoException e) {
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
