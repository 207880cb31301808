/*
 * Words in chat, for owners who have nothing but a chat program: the first line of a message is a word of the table in talk.c
 * and what it is about.
 *
 *   claim TWNK-KD5Y-MT3T-E1GS-DRDB-KVTW     yes     no     yes anna@b.example     no anna@b.example lamp@things.example
 *
 * Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

void talk_take(void *self, struct incoming *in); /* any message */
