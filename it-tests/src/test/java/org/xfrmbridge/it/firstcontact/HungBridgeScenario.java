package org.xfrmbridge.it.firstcontact;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Command.Result;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: a bridge that hangs has sockets to which one can connect, and answers nothing. Topology: a host without
 * interfaces, and a bridge. Steps: it is stopped; commands of people and clients of its databases ask; it goes on; it
 * is stopped and killed. Expected: each command says within seconds, in one sentence, that the bridge does not answer.
 * Clients wait as for a kernel, longer than any limit of the library, and have their answers when it goes on; its end
 * ends them.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE})
class HungBridgeScenario {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private Scene scene;
    private Namespace host;
    private BridgeProcess bridge;

    private void signal(String name) {
        Command.of("sh", "-c", "kill -" + name + " " + bridge.pid()).run();
    }

    private Daemon client(String name, String arguments) {
        return scene.own(host.start(name, scene.file(name), bridge.command(arguments.split(" "))));
    }

    private CompletableFuture<Result> ask(Newcomer user, String words) {
        Command command = user.command(List.of(), (words + " --dir " + bridge.directory()).split(" "));
        return CompletableFuture.supplyAsync(command::result, task -> Thread.startVirtualThread(task));
    }

    @Test
    void shouldSayThatItDoesNotAnswer() {
        try (Scene made = new Scene("hung")) {
            scene = made;
            host = new Namespace(scene, "host");
            bridge = BridgeProcess.start(scene, host, Attachment.STACK);
            Newcomer user = new Newcomer(scene, host);
            signal("STOP");
            Daemon adding = client("adding", "ip xfrm policy add dst 10.9.0.0/16 dir out action block");
            Daemon counting = client("counting", "ip xfrm state count");
            Daemon listening = client("listening", "ip xfrm monitor policy");
            CompletableFuture<Result> stat = ask(user, "stat");
            CompletableFuture<Result> status = ask(user, "status");
            CompletableFuture<Result> doctor = ask(user, "doctor");
            CompletableFuture<Result> detach = ask(user, "detach");
            String said = "process " + bridge.pid() + ", has not answered for 5 seconds: it hangs, or was stopped";
            Newcomer.assertSentence(said, stat.join());
            Newcomer.assertSentence(said, status.join());
            Newcomer.assertSentence("a bridge is running in", detach.join());
            assertTrue(doctor.join().output().contains(said), doctor.join()::output);
            assertTrue(adding.isAlive() && counting.isAlive() && listening.isAlive());
            signal("CONT");
            for (Daemon client : List.of(adding, counting)) {
                Await.until("an answer", PATIENCE, () -> !client.isAlive());
                assertTrue(client.succeeded(), client::output);
            }
            assertTrue(counting.output().contains("SAD count 0"), counting::output);
            assertTrue(bridge.run("ip", "xfrm", "policy").contains("dst 10.9.0.0/16"));
            bridge.run("ip", "xfrm", "policy", "delete", "dst", "10.9.0.0/16", "dir", "out");
            listening.awaitOutput("Deleted src 0.0.0.0/0 dst 10.9.0.0/16", PATIENCE);
            listening.terminate();
            endWhileAsked();
        }
    }

    private void endWhileAsked() {
        signal("STOP");
        Daemon asking = client("asking", "ip xfrm state count");
        Await.until("the question", PATIENCE, asking::isAsleep);
        bridge.kill9();
        Await.until("the end of who asked", PATIENCE, () -> !asking.isAlive());
        assertNotEquals("", asking.output());
        assertTrue(!asking.succeeded(), asking::output);
    }
}
