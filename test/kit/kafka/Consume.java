import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Prints the first records of partition 0, one a line: headers, key, value. Arguments: topic, how many, settings. */
public class Consume {
  public static void main(String[] args) {
    Properties settings = new Properties();
    for (int n = 2; n < args.length; n += 1) {
      settings.put(args[n].substring(0, args[n].indexOf('=')), args[n].substring(args[n].indexOf('=') + 1));
    }
    TopicPartition partition = new TopicPartition(args[0], 0);
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      for (int left = Integer.parseInt(args[1]); left > 0; ) {
        for (var record : consumer.poll(Duration.ofSeconds(1))) {
          List<String> headers = new ArrayList<>();
          for (Header header : record.headers()) headers.add(header.key() + ":" + new String(header.value()));
          System.out.println(String.join(",", headers) + "\t" + record.key() + "\t" + record.value());
          left -= 1;
        }
      }
    }
  }
}
