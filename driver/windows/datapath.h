/* SPDX-License-Identifier: MIT */
/*
 * The handlers through which every frame of the adapter passes. They look, and pass on: no list is held, reordered,
 * changed or dropped. Where nobody monitors, that is one branch.
 */
#ifndef AVB_DATAPATH_H
#define AVB_DATAPATH_H

#include "nt.h"

FILTER_RECEIVE_NET_BUFFER_LISTS FilterReceiveNetBufferLists;
FILTER_RETURN_NET_BUFFER_LISTS FilterReturnNetBufferLists;
FILTER_SEND_NET_BUFFER_LISTS FilterSendNetBufferLists;
FILTER_SEND_NET_BUFFER_LISTS_COMPLETE FilterSendNetBufferListsComplete;
FILTER_CANCEL_SEND_NET_BUFFER_LISTS FilterCancelSendNetBufferLists;

#endif
