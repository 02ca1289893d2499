/* agenda: see agenda.h. */
#include "watcher/agenda.h"

void agenda_init(struct agenda *agenda)
{
	*agenda = (struct agenda){ 0 };
	link_init(&agenda->batch[0]);
	link_init(&agenda->batch[1]);
}

static void push(struct agenda *agenda, struct node *node, bool force, uint64_t number)
{
	unsigned parity = (unsigned)(number & 1);
	if (node->flags & NODE_DETACHED)
		return;
	if (force)
		node->flags |= NODE_FORCE;
	/* a directory that waits already keeps its earlier turn */
	if (node->flags & NODE_QUEUED)
		return;
	node->flags &= (uint8_t)~NODE_ODD;
	node->flags |= (uint8_t)(NODE_QUEUED | (parity ? NODE_ODD : 0));
	link_after(&agenda->batch[parity], &node->link);
	agenda->count[parity]++;
}

void agenda_push(struct agenda *agenda, struct node *node, bool force, uint64_t position)
{
	uint64_t number = agenda_filling(agenda);
	if (node == agenda->current) {
		agenda->again_since = agenda->again ? agenda->again_since : position;
		agenda->again = true;
		agenda->again_force |= force;
		return;
	}
	/* not always the first one: what is to be listed again was known before its listing ended
	 */
	if (agenda->count[number & 1] == 0 || position < agenda->since[number & 1])
		agenda->since[number & 1] = position;
	push(agenda, node, force, number);
}

void agenda_push_found(struct agenda *agenda, struct node *node, bool force)
{
	bool odd = agenda->number & 1;
	if (node->flags & NODE_QUEUED && !(node->flags & NODE_ODD) == odd) {
		force |= (node->flags & NODE_FORCE) != 0;
		agenda_remove(agenda, node);
	}
	push(agenda, node, force, agenda->number);
}

void agenda_pull(struct agenda *agenda, struct node *node, uint64_t position, size_t most)
{
	unsigned now = (unsigned)(agenda->number & 1);
	if (agenda->finished == agenda->number || agenda->pulled >= most) {
		agenda_push(agenda, node, false, position);
		return;
	}
	agenda->pulled++;
	if (position < agenda->since[now])
		agenda->since[now] = position;
	push(agenda, node, false, agenda->number);
}

struct slot agenda_slot(const struct agenda *agenda, const struct node *node)
{
	if (!node || !(node->flags & NODE_QUEUED))
		return (struct slot){ .since = UINT64_MAX };
	bool odd = node->flags & NODE_ODD;
	bool now = odd == (agenda->number & 1);
	return (struct slot){
		.taken = true,
		.force = node->flags & NODE_FORCE,
		.number = now ? agenda->number : agenda_filling(agenda),
		.since = agenda->since[odd],
	};
}

void agenda_give(struct agenda *agenda, struct node *node, const struct slot *slot)
{
	unsigned parity = (unsigned)(slot->number & 1);
	if (!slot->taken || node == agenda->current)
		return;
	if (agenda->count[parity] == 0 || slot->since < agenda->since[parity])
		agenda->since[parity] = slot->since;
	if (slot->number == agenda->number)
		agenda_push_found(agenda, node, slot->force);
	else
		push(agenda, node, slot->force, slot->number);
}

void agenda_remove(struct agenda *agenda, struct node *node)
{
	if (!(node->flags & NODE_QUEUED))
		return;
	link_out(&node->link);
	agenda->count[node->flags & NODE_ODD ? 1 : 0]--;
	node->flags &= (uint8_t) ~(NODE_QUEUED | NODE_ODD | NODE_FORCE);
}

struct node *agenda_pop(struct agenda *agenda)
{
	struct link *batch = &agenda->batch[agenda->number & 1];
	if (link_alone(batch))
		return NULL;
	struct node *node = LINK_OF(batch->next, struct node, link);
	bool force = node->flags & NODE_FORCE;
	agenda_remove(agenda, node);
	if (force)
		node->flags |= NODE_FORCE;
	return node;
}

bool agenda_turn(struct agenda *agenda, uint64_t *out)
{
	if (agenda->current || agenda->count[agenda->number & 1] > 0)
		return false;
	if (agenda->finished < agenda->number) {
		agenda->finished = agenda->number;
		*out = agenda->number;
		return true;
	}
	uint64_t next = agenda_filling(agenda);
	if (agenda->count[next & 1] > 0 || agenda->wanted >= next) {
		agenda->number = next;
		agenda->pulled = 0;
	}
	if (agenda->count[next & 1] == 0 && agenda->number == next) {
		agenda->finished = next;
		*out = next;
		return true;
	}
	return false;
}

bool agenda_idle(const struct agenda *agenda)
{
	return !agenda->current && agenda->count[0] == 0 && agenda->count[1] == 0 &&
	       agenda->finished == agenda->number && agenda->wanted <= agenda->number;
}

uint64_t agenda_want(struct agenda *agenda)
{
	agenda->wanted = agenda_filling(agenda);
	return agenda->wanted;
}

uint64_t agenda_since(const struct agenda *agenda)
{
	unsigned now = (unsigned)(agenda->number & 1);
	uint64_t since = UINT64_MAX;
	if (agenda->current || agenda->count[now] > 0)
		since = agenda->since[now];
	if (agenda->count[!now] > 0 && agenda->since[!now] < since)
		since = agenda->since[!now];
	return since;
}
