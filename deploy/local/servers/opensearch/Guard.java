import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

import org.opensearch.client.node.NodeClient;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.plugins.ActionPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.rest.BytesRestResponse;
import org.opensearch.rest.RestChannel;
import org.opensearch.rest.RestHandler;
import org.opensearch.rest.RestRequest;

/**
 * Refuses requests of web pages, in front of every handler of OpenSearch. A page names itself in Origin or Sec-Fetch-Site, sends
 * text, or has reached this machine by a name of its own (DNS rebinding).
 */
public class Guard extends Plugin implements ActionPlugin {
    private static final Pattern HOST = Pattern.compile("(127\\.0\\.0\\.1|localhost)(:\\d+)?");

    @Override
    public UnaryOperator<RestHandler> getRestHandlerWrapper(ThreadContext context) {
        return handler -> new RestHandler.Wrapper(handler) {
            @Override
            public void handleRequest(RestRequest request, RestChannel channel, NodeClient client) throws Exception {
                String fault = fault(request);
                if (fault == null) {
                    super.handleRequest(request, channel, client);
                } else {
                    channel.sendResponse(new BytesRestResponse(RestStatus.FORBIDDEN, fault));
                }
            }
        };
    }

    /** Returns why a request is refused, or null. */
    private static String fault(RestRequest request) {
        for (String host : values(request, "Host")) {
            if (!HOST.matcher(host.toLowerCase()).matches()) {
                return "the Host must be 127.0.0.1 or localhost";
            }
        }
        for (String site : values(request, "Sec-Fetch-Site")) {
            if (!site.equals("none")) {
                return "web pages are refused";
            }
        }
        if (!values(request, "Origin").isEmpty()) {
            return "web pages are refused";
        }
        for (String type : values(request, "Content-Type")) {
            if (type.toLowerCase().startsWith("text/")) {
                return "the Content-Type must be JSON's";
            }
        }
        return null;
    }

    private static List<String> values(RestRequest request, String header) {
        List<String> values = request.getAllHeaderValues(header);
        return values == null ? List.of() : values;
    }
}
