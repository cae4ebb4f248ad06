import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A producer that is not ours. Arguments: TOPIC, then settings of the producer as name=value. Each line of standard input is a record,
 * PARTITION TAB TIME TAB KEY TAB VALUE; an empty field is left to the producer, `\N` is null. Lines `!begin`, `!commit`, `!abort` and `!flush` do
 * what they say. Prints how many records were acknowledged.
 */
public final class Produce {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    for (int n = 1; n < args.length; n++) settings.put(args[n].substring(0, args[n].indexOf('=')), args[n].substring(args[n].indexOf('=') + 1));
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 20);
    Exception[] failed = {null};
    long sent = 0;
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      if (settings.containsKey("transactional.id")) producer.initTransactions();
      for (String line; (line = lines.readLine()) != null; ) {
        switch (line) {
          case "!begin" -> producer.beginTransaction();
          case "!commit" -> producer.commitTransaction();
          case "!abort" -> producer.abortTransaction();
          case "!flush" -> producer.flush();
          default -> {
            String[] fields = line.split("\t", 4);
            Integer partition = fields[0].isEmpty() ? null : Integer.valueOf(fields[0]);
            Long time = fields[1].isEmpty() ? null : Long.valueOf(fields[1]);
            producer.send(new ProducerRecord<>(args[0], partition, time, bytes(fields[2]), bytes(fields[3])), (metadata, error) -> {
              if (error != null) failed[0] = error;
            });
            sent++;
          }
        }
      }
      producer.flush();
    }
    if (failed[0] != null) throw failed[0];
    System.out.println(sent);
  }

  private static byte[] bytes(String field) {
    return field.equals("\\N") ? null : field.getBytes(StandardCharsets.UTF_8);
  }
}
