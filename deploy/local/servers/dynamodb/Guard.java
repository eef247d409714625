import java.util.regex.Pattern;

import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Refuses requests of web pages, in front of DynamoDB Local. A page names itself in Origin or Sec-Fetch-Site, sends text,
 * or has reached this machine by a name of its own (DNS rebinding).
 *
 * DynamoDB Local keeps a database for each access key. Requests with the stack's own key, which the environment's
 * SLUICE_ACCESS_KEY names, get the database of the key "sluice".
 */
public class Guard extends Handler.Wrapper {
    private static final Pattern HOST = Pattern.compile("(127\\.0\\.0\\.1|localhost)(:\\d+)?");
    private static final String KEY = System.getenv("SLUICE_ACCESS_KEY");

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        HttpFields headers = request.getHeaders();
        String fault = fault(headers);
        if (fault != null) {
            Response.writeError(request, response, callback, 403, fault);
            return true;
        }
        String authorization = headers.get(HttpHeader.AUTHORIZATION);
        if (KEY == null || authorization == null || !authorization.contains("Credential=" + KEY + "/")) {
            return super.handle(request, response, callback);
        }
        HttpFields shared = HttpFields.build(headers)
            .put(HttpHeader.AUTHORIZATION, authorization.replace("Credential=" + KEY + "/", "Credential=sluice/"));
        return super.handle(new Request.Wrapper(request) {
            @Override
            public HttpFields getHeaders() {
                return shared;
            }
        }, response, callback);
    }

    /** Returns why a request is refused, or null. */
    private static String fault(HttpFields headers) {
        for (HttpField field : headers) {
            String value = field.getValue() == null ? "" : field.getValue().toLowerCase();
            switch (field.getLowerCaseName()) {
                case "host":
                    if (!HOST.matcher(value).matches()) {
                        return "the Host must be 127.0.0.1 or localhost";
                    }
                    break;
                case "origin":
                    return "web pages are refused";
                case "sec-fetch-site":
                    if (!value.equals("none")) {
                        return "web pages are refused";
                    }
                    break;
                case "content-type":
                    if (value.startsWith("text/")) {
                        return "the Content-Type must be that of AWS's JSON protocol";
                    }
                    break;
                default:
            }
        }
        return null;
    }
}
