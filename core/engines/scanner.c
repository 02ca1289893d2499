/* scanner: see scanner.h. */
#include "core/engines/scanner.h"

#include "core/base/str.h"
#include "core/engines/engine.h"
#include "core/helper/channel.h"

enum {
	EXIT_DONE = 0,
	EXIT_NONSENSE = 3
};

/* Text beyond what the daemon accepts would make the whole answer void. */
static void check_size(struct helper_answer *answer, const struct str *packet, struct str *checked)
{
	struct helper_answer again = { .outcome = OUTCOMES };
	if (helper_read_answer(packet, &again)) {
		helper_answer_done(&again);
		return;
	}
	uint64_t id = answer->id;
	helper_answer_done(answer);
	answer->id = id;
	engine_say(answer, OUTCOME_ERROR, "error", "the helper's answer does not fit the protocol");
	helper_put_answer(checked, answer);
}

static int answer_one(const struct engine_class *class, void *state, int channel,
		      struct str *packet)
{
	__attribute__((cleanup(channel_fds_cleanup))) struct channel_fds fds = CHANNEL_NO_FDS;
	int got = channel_receive(channel, packet, &fds, true);
	if (got <= 0)
		return EXIT_DONE;
	struct helper_request request;
	if (!helper_read_request(packet, &request) || fds.fd[0] < 0)
		return EXIT_NONSENSE;
	__attribute__((cleanup(helper_answer_cleanup))) struct helper_answer answer = {
		.id = request.id,
		.outcome = OUTCOMES,
	};
	class->scan(state, &request, fds.fd[0], &answer);
	channel_fds_close(&fds); /* once it is answered nobody holds the file any more */
	answer.id = request.id;
	AUTO_STR out = STR_INIT;
	helper_put_answer(&out, &answer);
	check_size(&answer, &out, &out);
	return channel_send(channel, &out, NULL) == 0 ? -1 : EXIT_DONE;
}

int scanner_serve(const struct engine_class *class, void *state, int channel)
{
	AUTO_STR packet = STR_INIT;
	int code;
	do
		code = answer_one(class, state, channel, &packet);
	while (code < 0);
	return code;
}
