import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.kstream.TimeWindowedDeserializer;
import org.apache.kafka.streams.kstream.Windowed;

/** Reads windowed counts as a consumer of Kafka Streams would: BROKERS TOPIC SIZE_MS COUNT. */
class ReadWindows {
    public static void main(String[] arguments) {
        int wanted = Integer.parseInt(arguments[3]);
        var keys = new TimeWindowedDeserializer<>(new StringDeserializer(), Long.parseLong(arguments[2]));
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", arguments[0],
            "auto.offset.reset", "earliest",
            "isolation.level", "read_committed");
        try (var consumer = new KafkaConsumer<Windowed<String>, Long>(settings, keys, new LongDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(arguments[1]).stream()
                .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                .toList();
            consumer.assign(partitions);
            for (int read = 0; read < wanted; ) {
                for (ConsumerRecord<Windowed<String>, Long> record : consumer.poll(Duration.ofSeconds(1))) {
                    var window = record.key().window();
                    System.out.printf("%s [%d,%d) %d at %d%n",
                        record.key().key(), window.start(), window.end(), record.value(), record.timestamp());
                    read++;
                }
            }
        }
    }
}
