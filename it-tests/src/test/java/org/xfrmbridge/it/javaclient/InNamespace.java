package org.xfrmbridge.it.javaclient;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.xfrmbridge.daemon.os.NetworkNamespace;
import org.xfrmbridge.lab.Namespace;

/** Runs Java code in a network namespace: the sockets that it opens are there. */
final class InNamespace {
    private InNamespace() {}

    /** On a thread of its own, which then ends. */
    static <T> T call(Namespace namespace, Callable<T> body) throws Exception {
        FutureTask<T> task = new FutureTask<>(() -> {
            NetworkNamespace.enter(namespace.name());
            return body.call();
        });
        Thread thread = new Thread(task, "in " + namespace.role());
        thread.start();
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (Exception) e.getCause();
        }
    }
}
