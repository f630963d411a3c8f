package org.xfrmbridge.daemon.control;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;
import org.xfrmbridge.pfkey.server.PfkeyKeyManager;

/** What anybody may ask of control.sock: counters and settings. */
interface PublicQueries {
    int ENOENT = 2;
    int EAGAIN = 11;
    int EINVAL = 22;
    int PATIENCE_SECONDS = 1;

    /** The answer, with its newline. */
    String answer(String request);

    /** Answered at once. Control thread only. */
    static PublicQueries of(Statistics statistics, PfkeyKeyManager pfkey, Sysctls sysctls) {
        return request -> switch (request) {
            case "stat" -> statistics.toText();
            case "stat json" -> statistics.toJson();
            case "proc xfrm_stat" -> statistics.toProcText();
            case "proc pfkey" -> pfkey.procText();
            default ->
                request.startsWith("sysctl ")
                        ? sysctl(sysctls.get(request.substring("sysctl ".length())))
                        : SocketRegistration.errno(EINVAL);
        };
    }

    /**
     * The same, and what is not for everybody, or has to be asked of the kernel.
     *
     * @param answers what begins with that word
     */
    default PublicQueries and(String word, UnaryOperator<String> answers) {
        return request ->
                request.equals(word) || request.startsWith(word + ' ') ? answers.apply(request) : answer(request);
    }

    private static String sysctl(Integer value) {
        return value == null ? SocketRegistration.errno(ENOENT) : value + "\n";
    }

    /** The same for another thread, which waits for the one that has the answers. */
    static PublicQueries through(Executor thread, PublicQueries answers) {
        return request -> {
            FutureTask<String> answer = new FutureTask<>(() -> answers.answer(request));
            try {
                thread.execute(answer);
                return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return SocketRegistration.errno(EAGAIN);
            } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
                return SocketRegistration.errno(EAGAIN);
            }
        };
    }
}
