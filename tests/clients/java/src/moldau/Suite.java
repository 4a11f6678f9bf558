package moldau;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs the cases against one bootstrap address, one printed line a case; see ../../scenarios.py. */
public final class Suite {
    private static final int CASE_SECONDS = 60;

    interface Case {
        void run(Broker broker) throws Exception;
    }

    public static void main(String[] arguments) {
        Map<String, Case> cases = new LinkedHashMap<>();
        RecordCases.addTo(cases);
        GroupCases.addTo(cases);
        AdminCases.addTo(cases);
        List<String> only = List.of(arguments).subList(1, arguments.length);

        PrintStream out = System.out;
        ExecutorService runner = Executors.newCachedThreadPool();
        boolean failed = false;
        try (Broker broker = new Broker(arguments[0])) {
            for (Map.Entry<String, Case> entry : cases.entrySet()) {
                if (!only.isEmpty() && !only.contains(entry.getKey())) {
                    continue;
                }
                long started = System.nanoTime();
                Throwable error = run(runner, entry.getValue(), broker);
                double seconds = (System.nanoTime() - started) / 1e9;
                if (error == null) {
                    out.printf("ok %s %.2f%n", entry.getKey(), seconds);
                } else {
                    failed = true;
                    String reason = error.toString().replaceAll("\\s+", " ");
                    out.printf("FAILED %s %s%n", entry.getKey(), reason);
                    error.printStackTrace();
                }
                out.flush();
            }
        }
        System.exit(failed ? 1 : 0);
    }

    private static Throwable run(ExecutorService runner, Case test, Broker broker) {
        Future<?> done = runner.submit(() -> {
            test.run(broker);
            return null;
        });
        try {
            done.get(CASE_SECONDS, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException error) {
            return error.getCause();
        } catch (TimeoutException error) {
            done.cancel(true);
            return new TimeoutException("not done within " + CASE_SECONDS + " s");
        } catch (InterruptedException error) {
            return error;
        }
    }

    private Suite() {}
}
